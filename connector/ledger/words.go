package ledger

import (
	"time"

	"einvoice/connector"
	"einvoice/connector/problem"
)

// FileState is how far an export has come.
type FileState string

// The states of an export.
const (
	FileTaken  FileState = "taken"  // in the spool, recorded; not mapped yet
	FileMapped FileState = "mapped" // its invoices are released (set by Release)
	FileFailed FileState = "failed" // could not be read at all; nothing of it was released (set by FailFile)
)

// NewFile is an export that was copied whole into the spool.
type NewFile struct {
	Drop     string // name of the drop
	Place    string // results place that gets its answers
	Name     string // as dropped
	SHA256   string // hex; also the spool's key
	Size     int64  // bytes
	Modified time.Time
	Owner    string // of the file on disk, "" where unknown
	Parts    []Part // what an export of several files consists of; PartsOf reads them
}

// PartKind says what a file has to do with its export.
type PartKind string

// The kinds of parts.
const (
	PartMember PartKind = "member" // one of the several files that are the export
	PartBeside PartKind = "beside" // an attachment that stood beside it
)

// Part is a file that came with an export.
type Part struct {
	FileID   int64
	Kind     PartKind
	Name     string // as dropped
	SHA256   string // also the spool's key
	Size     int64
	Archived string // where the original went; "" until it was moved
}

// File is an export we took.
type File struct {
	ID int64
	NewFile
	Take     int64 // running number, from 1; see TakeFile
	State    FileState
	Archived string // where the original went; "" until it was moved
	Mapping  string // name of the mapping used
	// MappingVersion tells texts of one mapping apart: the start of its SHA-256.
	MappingVersion string
	Encoding       string // of a text file, as used
	FirstFile      int64  // id of the earlier file with the same bytes, 0 if none
	TakenAt        time.Time
	MappedAt       time.Time         // zero until released or failed
	SettledAt      time.Time         // zero until nothing of it is in flight
	Problems       []problem.Problem // of the file as a whole
	Controls       []Control         // control totals
}

// Control is one figure of the summary, such as the count or sum the ERP gave.
type Control struct {
	Name, Stated, Computed string
}

// State is where an outgoing invoice stands on our side.
type State string

// The states of an outgoing invoice, and how it gets there.
const (
	Staged     State = "staged"     // Stage: mapped, the file not released yet
	Queued     State = "queued"     // Release, or a person, or a retry: may be sent from NotBefore on
	Waiting    State = "waiting"    // Release: for time (tail hold) or for the invoice that a credit note corrects
	Held       State = "held"       // waits for a person, Problems say why
	Sending    State = "sending"    // MarkSending: the intent is durable, the POST may have happened
	Uncertain  State = "uncertain"  // the answer is not known; looked up until it is
	Sent       State = "sent"       // taken in charge, APIID is known
	Rejected   State = "rejected"   // refused by the platform at once
	Refused    State = "refused"    // refused by our own checks; never attempted
	Duplicate  State = "duplicate"  // the same document went before
	Conflict   State = "conflict"   // the same number, another content, and the first may not be replaced
	Superseded State = "superseded" // a newer version took its place before any attempt
	Ignored    State = "ignored"    // filtered out by the mapping, or out of scope
)

// Verdict is what the acknowledgement says of an invoice. It never changes.
type Verdict string

// The verdicts: words of the acknowledgements, which ERPs know.
const (
	VerdictQueued     Verdict = "QUEUED"
	VerdictRefused    Verdict = "REFUSED"
	VerdictDuplicate  Verdict = "DUPLICATE"
	VerdictConflict   Verdict = "CONFLICT"
	VerdictSuperseded Verdict = "SUPERSEDED"
	VerdictIgnored    Verdict = "IGNORED"
	VerdictHeld       Verdict = "HELD"
	VerdictWaiting    Verdict = "WAITING"
)

// StagedInvoice is one invoice of an export as the mapping and the checks left it.
type StagedInvoice struct {
	Ordinal   int               // position within the export, from 1
	Rows      string            // source rows, "12-15" or "3,7-9"; for XML the ordinal of the document
	Row       int               // first source row
	Company   string            // id of the seller's company, "" when it is none of ours
	Invoice   connector.Invoice // as far as it could be read
	Verdict   Verdict           // QUEUED, REFUSED, IGNORED, HELD or WAITING; Release may turn QUEUED, HELD and WAITING into DUPLICATE, CONFLICT ...
	NotBefore time.Time         // for WAITING: when it may go
	Problems  []problem.Problem // errors and warnings
}

// Summary counts the verdicts of one export.
type Summary struct {
	Counts   map[Verdict]int
	Invoices int
	Adopted  []Adopted // at release: those that a sweep found, which count as QUEUED
}

// Invoice is an outgoing invoice in the ledger.
type Invoice struct {
	ID        int64
	FileID    int64
	Ordinal   int
	Row       int
	Rows      string
	Company   string
	ERPKey    string
	Key       connector.Key
	Gross     connector.Amount // BT-112
	Currency  string
	IssueDate connector.Date
	Verdict   Verdict
	State     State
	NotBefore time.Time // queued: not before; waiting: promoted then (zero: waits for WaitsFor)
	WaitsFor  int64     // id of the invoice a credit note waits for, 0 if none
	FirstID   int64     // of a duplicate, conflict: the invoice that holds the key
	Attempts  int
	APIID     string
	Status    connector.Status // last one of the platform
	Problems  []problem.Problem
	CreatedAt time.Time
	SentAt    time.Time // when the API took it in charge, by our clock
}

// ToSend is an invoice whose turn has come.
type ToSend struct {
	ID      int64
	Company string
	Attempt int // number of the attempt about to start, from 1
	Invoice connector.Invoice
}

// Outcome is what became of one attempt or look-up.
type Outcome struct {
	ID       int64 // of the invoice
	State    State // Sent, Rejected, Queued (later or proven absent), Uncertain, Held
	APIID    string
	Status   connector.Status  // of the answer, for Sent
	Retry    time.Time         // for Queued: not before; for Uncertain: next look-up
	Problems []problem.Problem // for Rejected, Held; for Queued and Uncertain: why
	HTTP     int               // status of the answer, 0 for none
	Note     string            // one line for trace: "reset by peer after the request was written"
}

// Doubt is an invoice in state Uncertain, with the evidence gathered so far.
type Doubt struct {
	ID          int64
	Company     string
	Key         connector.Key
	IssueDate   connector.Date
	Gross       connector.Amount
	BuyerSIREN  string
	AttemptedAt time.Time // start of the uncertain attempt
	Lookups     int       // look-ups made so far
	Proofs      int       // of which: absent although a witness was visible
	FirstProof  time.Time
	Exists      bool   // the answer was that the platform has it already
	Said        string // the platform's words then
}

// EventKind is the word in column event of a status file.
type EventKind string

// The events: words of the status files, which ERPs know.
const (
	EventSent       EventKind = "SENT"
	EventRefused    EventKind = "REFUSED"
	EventStatus     EventKind = "STATUS"
	EventUncertain  EventKind = "UNCERTAIN"
	EventResolved   EventKind = "RESOLVED"
	EventHeld       EventKind = "HELD"
	EventReleased   EventKind = "RELEASED"
	EventSuperseded EventKind = "SUPERSEDED"
)

// Event is one line of a status file.
type Event struct {
	Seq        int64 // 0 until it belongs to a publication
	InvoiceID  int64
	Company    string
	Number     string
	ERPKey     string
	APIID      string
	Kind       EventKind
	Status     connector.Status
	Problem    problem.Problem // zero where there is none
	OccurredAt time.Time
	SourceFile string
	SourceRow  int
}

// AckLine is one line of an acknowledgement: an invoice of the export, or, with
// Invoice.ID 0, a problem of the file as a whole.
type AckLine struct {
	Seq       int64
	Invoice   Invoice
	Problem   problem.Problem // the first error, else the first warning; zero where there is none
	FirstFile string          // of a duplicate or conflict: the export that brought the first one
	FirstRow  int
	FirstAPI  string // API id of the first one
}

// Folder says which of a place's folders a publication goes to.
type Folder string

// The folders we publish in.
const (
	FolderResults Folder = "results"
	FolderRefused Folder = "refused"
	FolderToCheck Folder = "to_check"
)

// Kind says what a publication holds.
type Kind string

// The kinds of publication. Ack, Summary, Statuses and Unready are rendered from the
// ledger by package results; the others come rendered, with their SHA-256.
const (
	KindAck     Kind = "ack"
	KindSummary Kind = "summary"
	KindStatus  Kind = "status"
	KindCopy    Kind = "copy"   // a correctable copy
	KindReport  Kind = "report" // its report
	KindNote    Kind = "note"
	KindUnready Kind = "unready" // says why a file of a drop is not taken
)

// Publication is one file that we owe somebody. Name and bytes never change
// once SHA256 is set.
type Publication struct {
	ID      int64
	Place   string // results place
	Folder  Folder
	Kind    Kind
	Name    string // of the file
	FileID  int64  // of the export, for all kinds but status; 0 otherwise
	SeqFrom int64  // of its first line; 0 where lines are not numbered
	SeqTo   int64
	SHA256  string // of the bytes, which are in the blob store or, where few, here (BodyOf); "" until rendered
	DueAt   time.Time
	Tries   int
}

// Callback is a call of the platform as it was recorded before the 200.
type Callback struct {
	ID         int64
	Company    string
	Event      string // customer-invoice, supplier-invoice
	APIID      string // "" when the body names none
	BodySHA256 string // of the body in the blob store
	ReceivedAt time.Time
}

// Watched is an invoice at the platform whose state may still change.
type Watched struct {
	InvoiceID int64
	Company   string
	APIID     string
	Status    connector.Status
	SentAt    time.Time
	PolledAt  time.Time
}

// ReceivedState is how far a supplier invoice has come.
type ReceivedState string

// The states of a supplier invoice.
const (
	ReceivedSeen      ReceivedState = "seen"      // an id we have to fetch
	ReceivedFetched   ReceivedState = "fetched"   // its JSON and attachments are in the blob store
	ReceivedBuilt     ReceivedState = "built"     // its folder stands under BuildName, to be renamed to Folder
	ReceivedDelivered ReceivedState = "delivered" // the rename was done
)

// Received is a supplier invoice.
type Received struct {
	ID          int64
	APIID       string
	Company     string
	State       ReceivedState
	SeenAt      time.Time
	ReceivedAt  time.Time // when it was fetched: decides the month's folder
	RawSHA256   string    // the JSON as received, in the blob store
	Supplier    string    // name
	SupplierID  string    // SIREN, else VAT number, else name
	Number      string
	Type        string
	IssueDate   connector.Date
	Gross       connector.Amount
	Currency    string
	IBAN        string
	Head        connector.Invoice // without lines, notes and attachments; zero in ledgers of schema 1
	ToCheck     bool              // stands among those to check
	Kept        bool              // out of the ERP's delivery, until it is released
	ERP         ERPState
	Alerts      []problem.Problem // duplicate, changed IBAN, totals that disagree ...
	BuildName   string            // of the hidden folder, within the inbox
	Folder      string            // final path, relative to the inbox
	DeliveredAt time.Time
	ReleasedAt  time.Time // by a person; zero: never kept, or kept still
}

// ERPState is how far a supplier invoice has come in the ERP's own delivery.
type ERPState string

// The states of the ERP's delivery.
const (
	ERPNone ERPState = ""     // there was none when it was fetched
	ERPDue  ERPState = "due"  // as soon as it is not kept
	ERPDone ERPState = "done" // its files were published
)
