package setting

import (
	"cmp"
	"errors"
	"fmt"
)

// Phrase is a text about a mistake, in both languages. It is an error as well,
// so that what finds a mistake need not know whom it is told to.
type Phrase struct{ English, French string }

// Say makes a phrase of an English format, of which there must be a French one
// in this package. A phrase among the arguments is told in its own language.
func Say(format string, args ...any) Phrase {
	french := cmp.Or(inFrench[format], doctorInFrench[format], format)
	theirs := make([]any, len(args))
	for i, a := range args {
		theirs[i] = a
		if err, ok := a.(error); ok {
			if p, ok := errors.AsType[Phrase](err); ok {
				theirs[i] = p.French
			}
		}
	}
	return Phrase{fmt.Sprintf(format, args...), fmt.Sprintf(french, theirs...)}
}

// Error is the English text.
func (p Phrase) Error() string { return p.English }

// In is the text in a language, "fr" or any other.
func (p Phrase) In(lang string) string {
	if lang == "fr" && p.French != "" {
		return p.French
	}
	return p.English
}
