package ledger

import (
	"testing"

	"einvoice/connector/problem"
)

// twoFiles is an export of two files.
func twoFiles() NewFile {
	return NewFile{Drop: "main", Place: acme, Name: "20260105", SHA256: "both", Parts: []Part{
		{Kind: PartMember, Name: "Heads_20260105.csv", SHA256: "heads", Size: 1},
		{Kind: PartMember, Name: "Lines_20260105.csv", SHA256: "lines", Size: 2},
	}}
}

func TestAnExportOfSeveralFilesIsOneTake(t *testing.T) {
	w := newWorld(t)
	f, err := w.TakeFile(t.Context(), twoFiles())
	w.ok(err)
	again, err := w.TakeFile(t.Context(), twoFiles()) // after a crash between two moves
	w.ok(err)
	want(t, "id after a crash", again.ID, f.ID)
	open, err := w.FilesToArchive(t.Context())
	w.ok(err)
	want(t, "files to archive, the members apart", len(open), 0)

	w.ok(w.PartArchived(t.Context(), f.ID, "Heads_20260105.csv", "2026-10/20260105.000001/Heads_20260105.csv"))
	w.wantErr(w.PartArchived(t.Context(), f.ID, "Heads_20260105.csv", "elsewhere"), ErrState)
	left, err := w.PartsToArchive(t.Context())
	w.ok(err)
	want(t, "parts left", len(left), 1)
	f, err = w.FileByID(t.Context(), f.ID)
	w.ok(err)
	want(t, "archived with one member left", f.Archived, "")
	w.ok(w.PartArchived(t.Context(), f.ID, "Lines_20260105.csv", "2026-10/20260105.000001/Lines_20260105.csv"))
	f, err = w.FileByID(t.Context(), f.ID)
	w.ok(err)
	want(t, "archived", f.Archived, "2026-10/20260105.000001")

	next, err := w.TakeFile(t.Context(), twoFiles()) // dropped again
	w.ok(err)
	want(t, "take", next.Take, f.Take+1)
}

func TestAnAttachmentIsFoundAgainForALaterCopy(t *testing.T) {
	w := newWorld(t)
	first, err := w.FileByID(t.Context(), w.take().ID)
	w.ok(err)
	second := w.take()
	for i, f := range []File{first, second} {
		w.ok(w.AddPart(t.Context(), Part{FileID: f.ID, Kind: PartBeside, Name: "F1.pdf", SHA256: []string{"old", "new"}[i], Size: 3}))
	}
	p, err := w.EarlierBeside(t.Context(), first.Drop, "F1.pdf")
	w.ok(err)
	want(t, "hash of the newest", p.SHA256, "new")
	_, err = w.EarlierBeside(t.Context(), "another drop", "F1.pdf")
	w.wantErr(err, ErrNotFound)
	w.ok(w.PartArchived(t.Context(), first.ID, "F1.pdf", "2026-10/x/F1.pdf"))
	f, err := w.FileByID(t.Context(), first.ID)
	w.ok(err)
	want(t, "archive of the export itself", f.Archived, first.Archived)
}

func TestAFileThatIsNeverWholeGetsOneAnswer(t *testing.T) {
	w := newWorld(t)
	why := problem.Problem{Code: "E1007", Severity: problem.Warn, Expected: "x.done"}
	for i, wanted := range []bool{true, false} {
		made, err := w.Unready(t.Context(), acme, "x.csv.20261005T080000.waiting.csv", "x.csv", why)
		w.ok(err)
		want(t, "made", made, wanted)
		due, err := w.PublicationsDue(t.Context(), 10)
		w.ok(err)
		want(t, "answers", len(due), 1)
		want(t, "seq", due[0].SeqFrom, int64(1))
		file, p, err := w.UnreadyOf(t.Context(), due[0])
		w.ok(err)
		if file != "x.csv" || p.Code != "E1007" || p.Expected != "x.done" {
			t.Errorf("%d: %s %+v", i, file, p)
		}
	}
}
