package connector

import (
	"encoding/json"
	"testing"
)

func TestAmountsThatAreWrittenCanBeReadAgain(t *testing.T) {
	for _, s := range []string{"0.3333333333333333333", "-0.0000000000000000001", "9999999999999999999", "0.00", "007.5", ".5"} {
		a, err := ParseAmount(s)
		if err != nil {
			t.Errorf("%s: %v", s, err)
			continue
		}
		text, err := json.Marshal(a)
		var again Amount
		if err != nil || json.Unmarshal(text, &again) != nil || !again.Equal(a) {
			t.Errorf("%s is written %s and read as %v, %v", s, text, again, err)
		}
	}
}

func TestWhatWouldBeRoundedIsRefused(t *testing.T) {
	for _, s := range []string{"12345678901234567890", "0.12345678901234567891", "1.2345678901234567890", "1e5", "", ".", "-", "1.2.3", "1-"} {
		if a, err := ParseAmount(s); err == nil {
			t.Errorf("%q is %v", s, a)
		}
	}
}
