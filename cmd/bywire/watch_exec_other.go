//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package main

import "os/exec"

// killWhole leaves the command as it is: here the end of its time is the end of
// the one program that was started.
func killWhole(*exec.Cmd) {}
