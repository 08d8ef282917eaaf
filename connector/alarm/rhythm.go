package alarm

import (
	"slices"
	"time"
)

const (
	week      = 7 * 24 * time.Hour
	weeksBack = 2             // weeks that must agree
	slackHead = 2 * time.Hour // an export may come later than it did last week
	slackTail = time.Hour
	fewest    = 5 // exports that make a rhythm
)

// Reach is how far back exports should be known for Silent to compare weeks.
const Reach = weeksBack*week + 24*time.Hour

// Rhythm is the usual time between two exports: the median of the gaps; 0 where
// there are too few.
func Rhythm(taken []time.Time) time.Duration {
	gaps := gapsOf(taken)
	if len(gaps) < fewest-1 {
		return 0
	}
	slices.Sort(gaps)
	return gaps[len(gaps)/2]
}

// Silent tells whether exports are missing, by what weeks before had in the same
// hours: a weekend without exports is no alarm where weekends have none. Where
// there are no such weeks yet, twice the longest gap is the measure. taken is in
// order of time.
func Silent(taken []time.Time, now time.Time) bool {
	if len(taken) < fewest {
		return false
	}
	last := taken[len(taken)-1]
	if now.Sub(taken[0]) < Reach {
		return now.Sub(last) > max(2*slices.Max(gapsOf(taken)), slackHead)
	}
	for w := 1; w <= weeksBack; w++ {
		from, to := last.Add(slackHead-time.Duration(w)*week), now.Add(-slackTail-time.Duration(w)*week)
		if !slices.ContainsFunc(taken, func(t time.Time) bool { return t.After(from) && t.Before(to) }) {
			return false
		}
	}
	return true
}

func gapsOf(taken []time.Time) []time.Duration {
	var gaps []time.Duration
	for i := 1; i < len(taken); i++ {
		gaps = append(gaps, taken[i].Sub(taken[i-1]))
	}
	return gaps
}
