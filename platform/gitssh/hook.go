package gitssh

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

// HookName is the name under which the program has to call HookMain.
const HookName = "pre-receive"

// What git's environment holds for the hook.
const (
	envSocket     = "SLIPWAY_HOOK_SOCKET"
	envToken      = "SLIPWAY_HOOK_TOKEN"
	envQuarantine = "GIT_QUARANTINE_PATH"
)

// hookRequest is all that the hook tells the server, as one line of JSON. The
// server answers with lines: "L text" for the pusher and, last, "V yes" or
// "V no".
type hookRequest struct {
	Token      string   `json:"token"`
	Quarantine string   `json:"quarantine"`
	Updates    []update `json:"updates"`
}

const (
	maxHookRequest = 8 << 20 // bytes; 10000 refs of 250 characters have 4 MB
	logMark        = "L "
	verdictMark    = "V "
	verdictYes     = "yes"
	verdictNo      = "no"
)

// HookMain is the program that git runs before it accepts a push: it asks the
// server, shows the pusher what the server says, and ends with 0 for yes.
func HookMain() { os.Exit(hook(os.Stdin, os.Stderr, os.Getenv)) }

func hook(stdin io.Reader, stderr io.Writer, env func(string) string) int {
	accepted, err := ask(stdin, stderr, env)
	if err != nil {
		fmt.Fprintln(stderr, "---> The platform stopped in the middle of this push; nothing was accepted. Push again in a minute.")
	}
	if !accepted {
		return 1
	}
	return 0
}

func ask(stdin io.Reader, stderr io.Writer, env func(string) string) (accepted bool, err error) {
	request := hookRequest{Token: env(envToken), Quarantine: env(envQuarantine)}
	scanner := bufio.NewScanner(stdin)
	for scanner.Scan() {
		fields := strings.SplitN(scanner.Text(), " ", 3)
		if len(fields) != 3 {
			return false, fmt.Errorf("git gave the line %q", scanner.Text())
		}
		request.Updates = append(request.Updates, update{Old: fields[0], New: fields[1], Ref: fields[2]})
	}
	if err := scanner.Err(); err != nil {
		return false, err
	}
	conn, err := net.Dial("unix", env(envSocket))
	if err != nil {
		return false, err
	}
	defer conn.Close()
	if err := json.NewEncoder(conn).Encode(request); err != nil {
		return false, err
	}
	return relay(conn, stderr)
}

// relay shows the server's lines until its verdict.
func relay(server io.Reader, stderr io.Writer) (accepted bool, err error) {
	scanner := bufio.NewScanner(server)
	for scanner.Scan() {
		if text, ok := strings.CutPrefix(scanner.Text(), logMark); ok {
			if _, err := fmt.Fprintln(stderr, text); err != nil {
				return false, err
			}
		}
		if verdict, ok := strings.CutPrefix(scanner.Text(), verdictMark); ok {
			return verdict == verdictYes, nil
		}
	}
	if scanner.Err() != nil {
		return false, scanner.Err()
	}
	return false, io.ErrUnexpectedEOF
}
