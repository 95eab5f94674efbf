// Package installer tests install.sh and uninstall.sh as their users run them:
// piped into dash and bash, with a recording stand-in for the program.
package installer
