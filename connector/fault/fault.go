// Package fault makes the program fail, at a named point, in the way that a
// test asks for: it dies, loses its power, gets an error of the disk, or dawdles.
//
// A program built without the tag "faults" has none of it: the calls are empty
// and the compiler leaves nothing of them, which a test of this package looks
// for in the binary. With the tag, the environment says what fails:
//
//	EINVOICE_FAULT=outbox.posted=crash@3,folder.published=delay@1:200ms
//	EINVOICE_FAULT_TRACE=/tmp/trace     one line per point that is passed
//
// Modes: crash ends the process at once, cut does so after taking back what no
// fsync made durable, eio and enospc are errors of the point, delay waits. @n
// picks the n-th passage (the first when left out), @n+ that one and all later.
package fault

// Point is a place in the code at which something durable is about to be done
// or has just been done.
type Point string

// The points, in the order in which things happen. The word after the dot says
// what is done when the point is reached, or, as an imperative, what comes next.
const (
	// durable: a file or a name on its way to the disk.
	FileMade     Point = "durable.file-made"
	FileWritten  Point = "durable.file-written"
	FileSynced   Point = "durable.file-synced"
	FileClosed   Point = "durable.file-closed"
	NameGiven    Point = "durable.name-given"
	FolderMade   Point = "durable.folder-made"
	FolderSynced Point = "durable.folder-synced"
	FileMoved    Point = "durable.file-moved"
	FileCopied   Point = "durable.file-copied" // to another volume; the original is there still
	FileRemoved  Point = "durable.file-removed"
	BlobStaged   Point = "store.staged"
	BlobKept     Point = "store.kept"

	// drop: a place as the ERP sees it.
	FolderPublish   Point = "folder.publish"
	FolderPublished Point = "folder.published"
	FolderRetire    Point = "folder.retire"
	FolderRetired   Point = "folder.retired"
	FolderForgotten Point = "folder.removed-archived"
	OwnerMarked     Point = "owner.marked"
	OwnerReleased   Point = "owner.released"

	// drop/sftpplace: the same on a server.
	SFTPUploaded  Point = "sftp.uploaded"
	SFTPPublished Point = "sftp.published"
	SFTPRetire    Point = "sftp.retire"
	SFTPRetired   Point = "sftp.retired"

	// ledger: a group commit.
	LedgerBegin     Point = "ledger.begin"
	LedgerCommit    Point = "ledger.commit"
	LedgerCommitted Point = "ledger.committed"

	// outbox: from the drop to the platform.
	Spooled        Point = "outbox.spooled"
	Recorded       Point = "outbox.recorded"
	OriginalMoved  Point = "outbox.original-moved"
	Archived       Point = "outbox.archived"
	Mapping        Point = "outbox.mapping"
	Staged         Point = "outbox.staged"
	Release        Point = "outbox.release"
	Released       Point = "outbox.released"
	CopiesRendered Point = "outbox.copies-rendered"
	CopiesOwed     Point = "outbox.copies-owed"
	SweptPart      Point = "outbox.swept-part"
	Swept          Point = "outbox.swept"
	Intent         Point = "outbox.intent"
	Post           Point = "outbox.post"
	Posted         Point = "outbox.posted"
	OutcomeRecord  Point = "outbox.record-outcome"
	OutcomeKept    Point = "outbox.outcome-recorded"
	LookedUp       Point = "outbox.looked-up"
	DoubtSettled   Point = "outbox.doubt-settled"
	FileSettle     Point = "outbox.settle-file"
	FileSettled    Point = "outbox.file-settled"

	// results: the answers.
	EventsNumber   Point = "results.number-events"
	EventsNumbered Point = "results.events-numbered"
	AnswerRendered Point = "results.rendered"
	AnswerFixed    Point = "results.answer-fixed"
	AnswerPut      Point = "results.put"
	AnswerMarked   Point = "results.marked"

	// inbox: the way back.
	CallbackStored   Point = "inbox.callback-stored"
	CallbackRecorded Point = "inbox.callback-recorded"
	CallbackApplied  Point = "inbox.callback-applied"
	CallbackDone     Point = "inbox.callback-done"
	OriginalStored   Point = "inbox.original-stored"
	OriginalRecorded Point = "inbox.original-recorded"
	Filled           Point = "inbox.filled"
	Built            Point = "inbox.built"
	Renamed          Point = "inbox.renamed"
	Delivered        Point = "inbox.delivered"
	RegisterWrite    Point = "inbox.write-register"
	RegisterWritten  Point = "inbox.register-written"
)

// Points lists every point.
func Points() []Point {
	return []Point{
		FileMade, FileWritten, FileSynced, FileClosed, NameGiven, FolderMade, FolderSynced, FileMoved, FileCopied, FileRemoved, BlobStaged, BlobKept,
		FolderPublish, FolderPublished, FolderRetire, FolderRetired, FolderForgotten, OwnerMarked, OwnerReleased,
		SFTPUploaded, SFTPPublished, SFTPRetire, SFTPRetired,
		LedgerBegin, LedgerCommit, LedgerCommitted,
		Spooled, Recorded, OriginalMoved, Archived, Mapping, Staged, Release, Released, CopiesRendered, CopiesOwed,
		SweptPart, Swept, Intent, Post, Posted, OutcomeRecord, OutcomeKept, LookedUp, DoubtSettled, FileSettle, FileSettled,
		EventsNumber, EventsNumbered, AnswerRendered, AnswerFixed, AnswerPut, AnswerMarked,
		CallbackStored, CallbackRecorded, CallbackApplied, CallbackDone, OriginalStored, OriginalRecorded,
		Filled, Built, Renamed, Delivered, RegisterWrite, RegisterWritten,
	}
}
