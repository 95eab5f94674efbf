package backup

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Keep says which of many backups stay: the newest of each of the last so many
// days, weeks, months or years in which there are any, or simply the last few.
type Keep []keepRule

type keepRule struct {
	count int
	unit  byte // n(umber), d(ays), w(eeks), m(onths), y(ears)
}

// ParseKeep reads "7d,4w,6m", or "3" for the last three. Empty keeps all.
func ParseKeep(text string) (Keep, error) {
	var k Keep
	for _, word := range strings.Split(text, ",") {
		if word = strings.TrimSpace(word); word == "" {
			continue
		}
		m := regexp.MustCompile(`^([1-9][0-9]{0,3})([dwmy]?)$`).FindStringSubmatch(word)
		if m == nil {
			return nil, fmt.Errorf("%q is none of 7d, 4w, 6m, 2y or a number of backups", word)
		}
		count, err := strconv.Atoi(m[1])
		if err != nil {
			return nil, err
		}
		unit := byte('n')
		if m[2] != "" {
			unit = m[2][0]
		}
		k = append(k, keepRule{count, unit})
	}
	return k, nil
}

// Expired lists those of the times that are not to be kept, by their place in
// the list. The newest is never among them.
func (k Keep) Expired(times []time.Time) []int {
	if len(k) == 0 {
		return nil
	}
	order := make([]int, len(times))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return times[b].Compare(times[a]) })
	kept := map[int]bool{}
	for _, rule := range k {
		periods := 0
		last := ""
		for n, i := range order {
			period := rule.period(times[i], n)
			if period == last {
				continue // an earlier one of the same period
			}
			if periods++; periods > rule.count {
				break
			}
			last, kept[i] = period, true
		}
	}
	var expired []int
	for _, i := range order {
		if !kept[i] {
			expired = append(expired, i)
		}
	}
	slices.Sort(expired)
	return expired
}

// period names the day, week, month or year of a time; n numbers the backups.
func (r keepRule) period(t time.Time, n int) string {
	t = t.UTC()
	switch r.unit {
	case 'd':
		return t.Format(time.DateOnly)
	case 'w':
		year, week := t.ISOWeek()
		return fmt.Sprint(year, week)
	case 'm':
		return t.Format("2006-01")
	case 'y':
		return t.Format("2006")
	}
	return strconv.Itoa(n + 1)
}
