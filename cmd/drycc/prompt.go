package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/term"
)

// readLine reads one line of the input, byte by byte: what follows belongs to
// somebody else.
func (p *program) readLine() (string, error) {
	var line []byte
	for one := make([]byte, 1); ; {
		n, err := p.in.Read(one)
		if n > 0 && one[0] != '\n' {
			line = append(line, one[0])
		}
		switch {
		case n > 0 && one[0] == '\n', errors.Is(err, io.EOF) && len(line) > 0:
			return strings.TrimSuffix(string(line), "\r"), nil
		case err != nil:
			return "", err
		}
	}
}

// ask prints a question on stderr and reads the answer.
func (k *call) ask(question string) (string, error) {
	fmt.Fprint(k.err, question)
	answer, err := k.readLine()
	if err != nil {
		return "", fmt.Errorf("no answer: %w", err)
	}
	return strings.TrimSpace(answer), nil
}

// askSecret is ask without showing what is typed.
func (k *call) askSecret(question string) (string, error) {
	if !isTerminal(k.in) {
		return k.ask(question)
	}
	fmt.Fprint(k.err, question)
	secret, err := term.ReadPassword(int(k.in.Fd()))
	fmt.Fprintln(k.err)
	return string(secret), err
}

// confirm has the user type the wanted word, unless --confirm gave it.
func (k *call) confirm(wanted string, warning ...string) error {
	given := k.text("confirm")
	if given == "" {
		for _, line := range warning {
			fmt.Fprintln(k.err, " !    "+line)
		}
		var err error
		if given, err = k.ask(fmt.Sprintf(" !    To proceed, type %q !\n\n> ", wanted)); err != nil {
			return curable(err, fmt.Sprintf("Where nobody can answer, pass --confirm=%s.", wanted))
		}
	}
	if given != wanted {
		return fmt.Errorf("%q is not %q: nothing was done", given, wanted)
	}
	return nil
}

// lines splits a text; the last line may lack its end.
func lines(r io.Reader) ([]string, error) {
	var out []string
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		out = append(out, scanner.Text())
	}
	return out, scanner.Err()
}
