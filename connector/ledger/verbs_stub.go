package ledger

// STUBS: signatures are the contract; bodies are written by the ledger's author,
// who moves them into files by subject and deletes this file.

import (
	"context"
	"iter"
	"time"

	"einvoice/connector"
	"einvoice/connector/problem"
	"einvoice/connector/setting"
)

type Ledger struct{}

// Config is the [ledger] section.
type Config struct {
	// Path is the folder of the database and its backups. Must be a local disk.
	Path string `toml:"path"`
}

func Defaults() Config { return Config{} }

func (c Config) Validate(r setting.Report) {}

// Identity is what a ledger belongs to; Open refuses another one.
type Identity struct {
	BaseURL   string // of the API; loopback URLs are all the same one, whatever their port
	Companies []connector.Company
}

// Options of Open.
type Options struct {
	Identity Identity
	Now      func() time.Time // nil: time.Now
}

// Open opens or creates the ledger for the one process that may write, and
// upgrades its schema after a backup. Invoices found in state Sending become
// Uncertain, with an event. Errors: ErrInUse, ErrNewerSchema, ErrOtherAPI, ErrOpenCompany.
func Open(ctx context.Context, cfg Config, opt Options) (*Ledger, error) { panic("stub") }

// OpenReader opens the ledger for reading only, beside a running daemon
// (status, trace, preview). Writing verbs then return an error.
func OpenReader(ctx context.Context, cfg Config) (*Ledger, error) { panic("stub") }

func (l *Ledger) Close() error { panic("stub") }

// ---- exports ----

// TakeFile records a spooled export and gives it its take number. Calling it again for the same
// drop, name and hash while that row is not archived yet returns that row (a crash came between). FirstFile is set when an
// earlier file of the same place has the same bytes and every invoice of it that was not refused/ignored was taken in charge or is on its way
// (that is: nothing of it is refused, held, conflict or rejected), i.e. processing it again could change nothing.
func (l *Ledger) TakeFile(ctx context.Context, f NewFile) (File, error) { panic("stub") }

// FileArchived records where the original went. Once only.
func (l *Ledger) FileArchived(ctx context.Context, id int64, path string) error { panic("stub") }

// FilesToArchive are files taken whose original was not moved yet.
func (l *Ledger) FilesToArchive(ctx context.Context) ([]File, error) { panic("stub") }

// FilesToMap are files in state taken, oldest first.
func (l *Ledger) FilesToMap(ctx context.Context) ([]File, error) { panic("stub") }

// Unstage deletes what an interrupted mapping of the file left in state staged.
func (l *Ledger) Unstage(ctx context.Context, fileID int64) error { panic("stub") }

// Stage adds invoices of a file in state taken, in one transaction a call.
func (l *Ledger) Stage(ctx context.Context, fileID int64, invoices []StagedInvoice) error {
	panic("stub")
}

// Release is the barrier: in one transaction it decides every verdict against the business keys (DESIGN §5.8), sets states,
// marks the file mapped, writes events (SUPERSEDED of older invoices, HELD), and makes the publications ack and summary with their seq range.
//   - same key, same fingerprint, holder not refused/rejected: DUPLICATE
//   - same key, other fingerprint, holder never attempted (queued, waiting, held with 0 attempts): holder becomes superseded, the new one takes the key
//   - holder refused or rejected at once (or platform state ERROR with code 501 or 221): the new one takes the key
//   - holder's platform state is ERROR with an unknown cause: new one HELD with problem E5xxx
//   - otherwise CONFLICT, with a problem naming the first differing field, when the first was sent, and that a credit note is the way
//   - same number twice inside the file: same fingerprint: the second DUPLICATE; other fingerprint: both REFUSED
//   - same number and same gross total of the same seller in another year: HELD with the question
//
// The key is (seller SIREN, number, issue year); a partial unique index holds it. Only invoices with a whole key take part.
// A credit note (IsCredit) whose Preceding is in the ledger: its invoice sent: QUEUED; refused/rejected: HELD; still open: WAITING with WaitsFor; not known: QUEUED.
func (l *Ledger) Release(ctx context.Context, fileID int64, m Mapped) (Summary, error) { panic("stub") }

// Mapped is what Release records of the file.
type Mapped struct {
	Mapping              string
	Encoding             string
	Problems             []problem.Problem
	Controls             []Control
	AckName, SummaryName string
}

// FailFile deletes what was staged, marks the file failed and makes its publication ack, whose one line is the first of ps.
func (l *Ledger) FailFile(ctx context.Context, fileID int64, m Mapped) error { panic("stub") }

// FileByID, errors ErrNotFound.
func (l *Ledger) FileByID(ctx context.Context, id int64) (File, error) { panic("stub") }

// Files lists the newest files first.
func (l *Ledger) Files(ctx context.Context, limit int) ([]File, error) { panic("stub") }

// FilesToSettle are files mapped and not settled of which no invoice is in state queued, waiting, sending or uncertain any more.
func (l *Ledger) FilesToSettle(ctx context.Context) ([]File, error) { panic("stub") }

// FileSettled marks the file settled and adds the publications (SHA256 set) that go with it, in one transaction. Idempotent by (place, folder, name).
func (l *Ledger) FileSettled(ctx context.Context, fileID int64, pubs []Publication) error {
	panic("stub")
}

// FilesWithoutCopy are files mapped (or failed) whose local refusals' or held invoices' correctable copy is still owed: the verdicts hold REFUSED, CONFLICT or HELD and CopyDone was not called.
func (l *Ledger) FilesWithoutCopy(ctx context.Context) ([]File, error) { panic("stub") }

// CopyDone marks that debt paid and adds the publications, in one transaction.
func (l *Ledger) CopyDone(ctx context.Context, fileID int64, pubs []Publication) error { panic("stub") }

// InvoicesOf streams a file's invoices in the order of the file.
func (l *Ledger) InvoicesOf(ctx context.Context, fileID int64) iter.Seq2[Invoice, error] {
	panic("stub")
}

// ---- sending ----

// NextToSend returns up to n queued invoices of a company whose NotBefore has come, in an order that is fair between files
// (by position within the file, then by file), and promotes what was waiting for time. It changes no state beyond that promotion.
func (l *Ledger) NextToSend(ctx context.Context, company string, n int) ([]ToSend, error) {
	panic("stub")
}

// MarkSending commits the intent of each attempt before its POST may start: Queued -> Sending, Attempts+1, an attempt row. Returns those that were still queued.
func (l *Ledger) MarkSending(ctx context.Context, ids []int64) ([]int64, error) { panic("stub") }

// Settle records outcomes of attempts and look-ups (from Sending or Uncertain only; others are skipped and counted in the error ErrState after the rest was done),
// with their events (SENT; REFUSED; UNCERTAIN on entering; RESOLVED when leaving Uncertain; HELD), and wakes credit notes that waited for them. One transaction.
func (l *Ledger) Settle(ctx context.Context, outcomes []Outcome) error { panic("stub") }

// Unsend takes back intents whose POST surely never started (a clean stop, a stopped lane): Sending -> Queued, Attempts-1.
func (l *Ledger) Unsend(ctx context.Context, ids []int64) error { panic("stub") }

// Doubts returns up to n uncertain invoices whose next look-up is due.
func (l *Ledger) Doubts(ctx context.Context, n int) ([]Doubt, error) { panic("stub") }

// LookedUp records a look-up that found nothing: proof tells whether a witness was visible.
func (l *Ledger) LookedUp(ctx context.Context, id int64, proof bool, next time.Time) error {
	panic("stub")
}

// SentAfter tells which of the given API ids are invoices of the company that were taken in charge after t (a witness).
func (l *Ledger) SentAfter(ctx context.Context, company string, t time.Time, apiIDs []string) ([]string, error) {
	panic("stub")
}

// Pending counts invoices by state, all companies; for "is everything settled?" and for status.
func (l *Ledger) Pending(ctx context.Context) (map[State]int, error) { panic("stub") }

// NextWake is the earliest NotBefore, tail hold or next look-up in the future; zero when there is none.
func (l *Ledger) NextWake(ctx context.Context) (time.Time, error) { panic("stub") }

// ---- sweep of a new, restored or cloned ledger ----

// SweepNeeded tells whether the company's outgoing invoices must be read in full before anything is sent.
func (l *Ledger) SweepNeeded(ctx context.Context, company string) (bool, error) { panic("stub") }

// AddSwept records invoices found at the platform (idempotent by API id).
func (l *Ledger) AddSwept(ctx context.Context, company string, found []connector.Remote) error {
	panic("stub")
}

// SweepDone allows sending, and settles queued invoices whose key was found: same gross -> Sent with that id; other gross -> Held. Also done by Release for later exports.
func (l *Ledger) SweepDone(ctx context.Context, company string) error { panic("stub") }

// RequireSweep makes the company sweep again (owner marker of a drop names another ledger, or an older generation of this one).
func (l *Ledger) RequireSweep(ctx context.Context, company string) error { panic("stub") }

// ID is the ledger's own random id, made once; it goes into the drops' owner markers.
func (l *Ledger) ID() string { panic("stub") }

// ---- results ----

// NumberEvents gives the oldest events without a number of one place consecutive seqs, at most limit of them, and makes their publication;
// name gets the first seq. ok is false when there was none.
func (l *Ledger) NumberEvents(ctx context.Context, place string, company string, limit int, name func(first int64) string) (pub Publication, ok bool, err error) {
	panic("stub")
}

// PlacesWithEvents lists (place, company) pairs that have events without a number.
func (l *Ledger) PlacesWithEvents(ctx context.Context) ([][2]string, error) { panic("stub") }

// PublicationsDue are files not published yet whose DueAt has come, oldest first within each place.
func (l *Ledger) PublicationsDue(ctx context.Context, n int) ([]Publication, error) { panic("stub") }

// AckLines streams the lines of a publication of kind ack.
func (l *Ledger) AckLines(ctx context.Context, p Publication) iter.Seq2[AckLine, error] {
	panic("stub")
}

// EventsOf streams the events of a publication of kind status.
func (l *Ledger) EventsOf(ctx context.Context, p Publication) iter.Seq2[Event, error] { panic("stub") }

// SummaryOf counts a file's verdicts, for the publication summary.
func (l *Ledger) SummaryOf(ctx context.Context, fileID int64) (Summary, error) { panic("stub") }

// FixPublication sets the SHA-256 of the rendered bytes, once.
func (l *Ledger) FixPublication(ctx context.Context, id int64, sha string) error { panic("stub") }

// MarkPublished ends a publication.
func (l *Ledger) MarkPublished(ctx context.Context, id int64) error { panic("stub") }

// PostponePublication notes a try that did not work.
func (l *Ledger) PostponePublication(ctx context.Context, id int64, due time.Time) error {
	panic("stub")
}

// ---- way back ----

// RecordCallback stores a callback durably; the platform gets its 200 after this returned nil. The same body twice is one row.
func (l *Ledger) RecordCallback(ctx context.Context, c Callback) error { panic("stub") }

// CallbacksDue are callbacks not processed yet, oldest first.
func (l *Ledger) CallbacksDue(ctx context.Context, n int) ([]Callback, error) { panic("stub") }

// CallbacksDone marks callbacks processed.
func (l *Ledger) CallbacksDone(ctx context.Context, ids []int64) error { panic("stub") }

// PostponeCallbacks tries them again later.
func (l *Ledger) PostponeCallbacks(ctx context.Context, ids []int64, due time.Time) error {
	panic("stub")
}

// OutgoingByAPIID finds our invoice of an API id; ErrNotFound.
func (l *Ledger) OutgoingByAPIID(ctx context.Context, apiID string) (Invoice, error) { panic("stub") }

// OpenByKey finds an invoice in state Uncertain or Sending by its key, for a callback that arrives before the answer; ErrNotFound.
func (l *Ledger) OpenByKey(ctx context.Context, k connector.Key) (Invoice, error) { panic("stub") }

// ApplyStatus records a status as observed now. changed is false when nothing is new, or when an older event would undo a final state
// (final -> non-final is ignored unless fresh is true: the invoice was re-read with refresh). Writes history and an event STATUS.
func (l *Ledger) ApplyStatus(ctx context.Context, invoiceID int64, s connector.Status, fresh bool) (changed bool, err error) {
	panic("stub")
}

// Watch returns up to n invoices at the platform to poll next: next_poll_at has come.
func (l *Ledger) Watch(ctx context.Context, n int) ([]Watched, error) { panic("stub") }

// Polled sets when an invoice is polled next; zero: never again.
func (l *Ledger) Polled(ctx context.Context, invoiceIDs []int64, next time.Time) error { panic("stub") }

// Spend counts n GETs of the day (YYYY-MM-DD) and returns the day's total; n may be 0.
func (l *Ledger) Spend(ctx context.Context, day string, n int) (total int, err error) { panic("stub") }

// SeeReceived records the id of an incoming invoice. first is false when it is known already.
func (l *Ledger) SeeReceived(ctx context.Context, company, apiID string) (first bool, err error) {
	panic("stub")
}

// ReceivedIn lists supplier invoices in a state, oldest first.
func (l *Ledger) ReceivedIn(ctx context.Context, s ReceivedState, n int) ([]Received, error) {
	panic("stub")
}

// Fetched: seen -> fetched, with all fields of r but BuildName and Folder.
func (l *Ledger) Fetched(ctx context.Context, r Received) error { panic("stub") }

// Built: fetched -> built, committed before the folder is renamed into place.
func (l *Ledger) Built(ctx context.Context, id int64, buildName, folder string) error { panic("stub") }

// Delivered: built -> delivered.
func (l *Ledger) Delivered(ctx context.Context, id int64) error { panic("stub") }

// PriorReceived lists earlier supplier invoices of a company and supplier, newest first: for the duplicate and IBAN checks.
func (l *Ledger) PriorReceived(ctx context.Context, company, supplierID string, limit int) ([]Received, error) {
	panic("stub")
}

// ReceivedOfMonth streams supplier invoices delivered for a company in a month (YYYY-MM of ReceivedAt, in loc), for the register.
func (l *Ledger) ReceivedOfMonth(ctx context.Context, company, month string, loc *time.Location) iter.Seq2[Received, error] {
	panic("stub")
}

// ReceivedSince is the start of the first synchronisation of a company: set once by the first call.
func (l *Ledger) ReceivedSince(ctx context.Context, company string, initial connector.Date) (connector.Date, error) {
	panic("stub")
}

// Get and Put keep small facts of a component over restarts (last full sweep, ...). Get gives "" for none.
func (l *Ledger) Get(ctx context.Context, key string) (string, error) { panic("stub") }
func (l *Ledger) Put(ctx context.Context, key, value string) error    { panic("stub") }

// ---- a person's verbs and questions ----

// ReleaseHeld: held -> queued, with event RELEASED and the note recorded.
func (l *Ledger) ReleaseHeld(ctx context.Context, ids []int64, note string) error { panic("stub") }

// Find lists invoices whose number, API id or ERP key is the text, newest first, of all companies.
func (l *Ledger) Find(ctx context.Context, text string) ([]Invoice, error) { panic("stub") }

// FindFiles lists files whose dropped name is the text, newest first.
func (l *Ledger) FindFiles(ctx context.Context, name string) ([]File, error) { panic("stub") }

// Step is one line of the story of an invoice or supplier invoice.
type Step struct {
	At   time.Time
	What string // one of: taken mapped staged released sending answered lookup event callback published delivered ...
	Text string // plain words, English; file names, ids and codes in full
}

// Story tells all that happened to an invoice, in order: file, row, hash, mapping, attempts, events, files written.
func (l *Ledger) Story(ctx context.Context, invoiceID int64) ([]Step, error) { panic("stub") }

// Figures are the counts that status shows, per company.
type Figures struct {
	Company   string
	States    map[State]int
	Platform  map[connector.State]int // of sent invoices
	Received  map[ReceivedState]int
	ToCheck   int
	LastFile  time.Time
	OldestDue time.Time // of queued invoices
}

// Status counts everything, per company.
func (l *Ledger) Status(ctx context.Context) ([]Figures, error) { panic("stub") }
