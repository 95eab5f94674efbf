package order

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
)

// The platform writes what is read here: both are tested with its file.
func TestOrderIsWhatThePlatformWrites(t *testing.T) {
	raw, err := os.ReadFile("../../../../platform/build/testdata/order.json")
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	var o Order
	if err := decoder.Decode(&o); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var want, got any
	if json.Unmarshal(raw, &want) != nil || json.Unmarshal(again, &got) != nil {
		t.Fatal("no JSON")
	}
	a, _ := json.Marshal(want)
	b, _ := json.Marshal(got)
	if !bytes.Equal(a, b) {
		t.Errorf("got  %s\nwant %s", b, a)
	}
}
