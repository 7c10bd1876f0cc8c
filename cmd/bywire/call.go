package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/bybit/p2p"
	"github.com/bywire/bywire/internal/endpoints"
)

const callLong = `Call any endpoint of REST and print its reply as it came, indented on a terminal.

Method, path, names and types of parameters are checked before anything is sent; bywire
endpoints lists them. A parameter is NAME=VALUE. Numbers, prices and ids are written plainly, yes and
no as true and false or as 1 and 0, times as Unix milliseconds or as 2026-01-31T12:00, lists with
commas or as JSON, and objects as JSON in quotes of the shell: request='[{"symbol":"BTCUSDT", ...}]'.
What uploads a file takes file=PATH. A value that the documentation does not have is sent, with a
warning: it may be new.

The key for endpoints that need one comes from --creds FILE, else from the environment:
BYBIT_API_KEY with BYBIT_API_SECRET or BYBIT_PRIVATE_KEY_PATH. What a call changes outside testnet, demo
trading and this machine is asked about first; without a terminal it needs --yes.

It ends with code 3 if the key or its signature is refused, 4 if the exchange refuses the
request, 5 at a rate limit, 6 if the network fails, and 7 if a change may have been made and no
answer tells. A refusal goes to stderr. Of a batch, the reply is printed, and
the code is 4 if an item of it was refused.`

// callOptions are the flags of call.
type callOptions struct {
	connection
	dryRun, yes bool
}

func (a *app) callCommand() *cobra.Command {
	var opts callOptions
	cmd := &cobra.Command{
		Use:   "call METHOD PATH [NAME=VALUE...]",
		Short: "make any request of REST",
		Long:  callLong,
		Example: `  bywire call GET /v5/market/tickers category=linear symbol=BTCUSDT
  bywire call GET /v5/account/wallet-balance accountType=UNIFIED --env testnet --creds testnet.json
  bywire call POST /v5/order/create category=spot symbol=BTCUSDT side=Buy orderType=Limit qty=0.001 price=50000 --dry-run`,
		ValidArgsFunction: completeCall,
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := endpointOfArgs(args)
			if err != nil {
				return err
			}
			given, doubts, err := encodeParams(&e, args[2:])
			if err != nil {
				return err
			}
			params, err := payload(&e, given)
			if err != nil {
				return err
			}
			for _, doubt := range doubts {
				a.say("%s", doubt)
			}
			env, err := opts.restEnvironment(cmd)
			if err != nil {
				return err
			}
			keys, err := opts.credentials()
			if half, ok := errors.AsType[*envKeyError](err); ok && (e.Auth != "signed" || opts.dryRun) {
				a.say("%s; going on without a key", oneLine(half.Error()))
			} else if err != nil {
				return err
			}
			if opts.dryRun {
				return a.dryRun(cmd.Context(), env, keys, &e, params)
			}
			if e.Auth == "signed" && keys == nil {
				return noKey(opOf(&e))
			}
			if !e.Read && realMoney(&env) && !opts.yes {
				if err := a.confirm(cmd.Context(), &e, &env); err != nil {
					return err
				}
			}
			return a.call(cmd.Context(), env, keys, &e, params)
		},
	}
	opts.serverFlags(cmd)
	cmd.Flags().BoolVar(&opts.dryRun, "dry-run", false, "print what would be sent, key and signature left out, and send nothing")
	cmd.Flags().BoolVarP(&opts.yes, "yes", "y", false, "do not ask before a change")
	return cmd
}

// restEnvironment is environment for commands that speak REST only.
func (c *connection) restEnvironment(cmd *cobra.Command) (bybit.Environment, error) {
	env, err := c.environment(cmd)
	if err == nil && env.RESTURL == "" {
		return env, usageError("%s: --ws %s says no REST server; add --rest URL", cmd.Name(), c.ws)
	}
	return env, err
}

// opOf names an endpoint as errors do.
func opOf(e *endpoints.Endpoint) string { return e.Method + " " + e.Path }

// endpointOfArgs finds the endpoint of the first two arguments.
func endpointOfArgs(args []string) (endpoints.Endpoint, error) {
	const example = "bywire call GET /v5/market/tickers category=linear symbol=BTCUSDT"
	var none endpoints.Endpoint
	if len(args) == 0 {
		return none, usageError("call: method and path missing, like: %s", example)
	}
	method := strings.ToUpper(args[0])
	if method != http.MethodGet && method != http.MethodPost {
		if strings.HasPrefix(args[0], "/") {
			return none, usageError("call: %s: the method goes first, like: %s", args[0], example)
		}
		return none, usageError("call: %s: no method; the API has GET and POST", args[0])
	}
	if len(args) == 1 {
		return none, usageError("call: path missing, like: %s", example)
	}
	path := args[1]
	if bare, _, found := strings.Cut(path, "?"); found {
		return none, usageError("call: %s: parameters are arguments of their own, like: bywire call %s %s NAME=VALUE", path, method, bare)
	}
	if e, ok := endpoints.Find(method, path); ok {
		return e, nil
	}
	var paths []string
	for _, e := range endpoints.All() {
		if e.Path == path {
			return none, usageError("call: %s has the method %s", path, e.Method)
		}
		if e.Method == method {
			paths = append(paths, e.Path)
		}
	}
	if near := nearestPath(path, paths); near != "" {
		return none, usageError("call: %s %s: no such endpoint; meant %s?", method, path, near)
	}
	return none, usageError("call: %s %s: no such endpoint; bywire endpoints lists them", method, path)
}

// nearestPath returns the path closest to what was typed: within a few edits, or with the
// same end; "" if none is close.
func nearestPath(typed string, paths []string) string {
	typed = "/" + strings.Trim(strings.ToLower(typed), "/")
	best, distance := "", 5
	for _, p := range paths {
		if d := edits(typed, p); d < distance {
			best, distance = p, d
		}
	}
	if best != "" {
		return best
	}
	var same []string
	for _, p := range paths {
		if strings.HasSuffix(p, typed) || strings.HasSuffix(p, strings.TrimPrefix(typed, "/v5")) {
			same = append(same, p)
		}
	}
	if len(same) == 1 {
		return same[0]
	}
	return ""
}

// nearestName is nearest for names with capitals.
func nearestName(typed string, names []string) string {
	low := make([]string, len(names))
	for i, n := range names {
		low[i] = strings.ToLower(n)
	}
	if i := slices.Index(low, nearest(typed, low)); i >= 0 {
		return names[i]
	}
	return ""
}

// confirm asks whether a change is meant. Nobody to ask is a no.
func (a *app) confirm(ctx context.Context, e *endpoints.Endpoint, env *bybit.Environment) error {
	if !a.asks {
		return usageError("%s: changes something at %s, where money is real: add --yes, or --dry-run to see what would be sent", opOf(e), env.RESTURL)
	}
	fmt.Fprintf(a.stderr, "%s at %s, where money is real. Send it? [y/N] ", opOf(e), printable(env.RESTURL))
	answer := make(chan string, 1)
	go func() { // reading cannot be interrupted; the process ends with it
		line, _ := bufio.NewReader(a.stdin).ReadString('\n') // no line is a no
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case word := <-answer:
		if word == "y" || word == "yes" {
			return nil
		}
	}
	return usageError("%s: not sent", opOf(e))
}

// restOptions are those of a client that makes a call or two: whoever waits is told why.
func (a *app) restOptions(env bybit.Environment, keys *bybit.Credentials) *bybit.Options {
	return &bybit.Options{Environment: env, Credentials: keys, Trace: &bybit.Trace{
		CallRetry: func(c bybit.TraceCall, wait time.Duration, err error) {
			op := c.Method + " " + c.Path + ": "
			a.say("%s%s; again in %s, attempt %d", op, oneLine(strings.TrimPrefix(err.Error(), op)), took(wait), c.Attempt+1)
		},
	}}
}

// call makes the request and prints the reply.
func (a *app) call(ctx context.Context, env bybit.Environment, keys *bybit.Credentials, e *endpoints.Endpoint, params any) error {
	client, err := bybit.NewClient(a.restOptions(env, keys))
	if err != nil {
		return usageError("%w", err)
	}
	defer client.Close()
	var reply bybit.Reply
	if err := client.Call(ctx, e.Method, e.Path, params, &reply); err != nil {
		return explained(err, &env)
	}
	if err := a.printReply(reply.Body); err != nil {
		return err
	}
	return failedItems(opOf(e), reply.Items)
}

// payload is what a request sends: nil for no params, which a nil slice in an interface is
// not; a form if it uploads a file.
func payload(e *endpoints.Endpoint, params json.RawMessage) (any, error) {
	if params == nil {
		return nil, nil
	}
	if e.Params[0].Type != "file" {
		return params, nil
	}
	var named struct{ File string }
	if err := json.Unmarshal(params, &named); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(named.File)
	if err != nil {
		return nil, usageError("call: file: %w", err)
	}
	body, err := (&p2p.UploadFileParams{Name: filepath.Base(named.File), Content: content}).Body()
	if err != nil {
		return nil, usageError("call: file=%s: %w", named.File, err)
	}
	return body, nil
}

// printReply prints a reply as it came; on a terminal indented, and without what a
// terminal would obey.
func (a *app) printReply(body []byte) error {
	body = bytes.TrimSpace(body)
	if a.terminal {
		var b bytes.Buffer
		if json.Indent(&b, body, "", "  ") == nil {
			body = b.Bytes()
		}
		body = []byte(printable(string(body)))
	}
	_, _ = a.out.Write(append(bytes.Clone(body), '\n')) // the error sticks
	return a.flush()
}

// failedItems says which items of a batch were refused, and of which it is not known what
// became of them: those decide the exit code.
func failedItems(op string, items []error) error {
	refused, open, first, like := 0, 0, "", ""
	for i, err := range items {
		switch {
		case err == nil:
			continue
		case errors.Is(err, bybit.ErrOutcomeUnknown):
			open++
			if unknown, ok := errors.AsType[*bybit.UnknownError](err); ok && like == "" {
				like = lookUp(unknown)
			}
		default:
			refused++
		}
		if first == "" {
			first = fmt.Sprintf("item %d: %s", i+1, strings.TrimPrefix(err.Error(), op+": "))
		}
	}
	switch {
	case open > 0:
		return &codeError{exitUnknown, fmt.Errorf("%s: of %d %d refused, %d unknown: ask what became of them; %s%s", op, len(items), refused, open, first, like)}
	case refused > 0:
		return &codeError{exitRefused, fmt.Errorf("%s: %d of %d refused; %s", op, refused, len(items), first)}
	}
	return nil
}

// completeCall completes methods, paths, names of parameters, and their values.
func completeCall(_ *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var found []cobra.Completion
	offer := func(word, text string) {
		if strings.HasPrefix(word, typed) {
			found = append(found, cobra.CompletionWithDesc(word, text))
		}
	}
	if len(args) == 0 {
		typed = strings.ToUpper(typed)
		offer(http.MethodGet, "reads")
		offer(http.MethodPost, "mostly changes something")
		return found, cobra.ShellCompDirectiveNoFileComp
	}
	method := strings.ToUpper(args[0])
	if len(args) == 1 {
		for _, e := range endpoints.All() {
			if e.Method == method {
				offer(e.Path, firstSentence(e.Text))
			}
		}
		return found, cobra.ShellCompDirectiveNoFileComp
	}
	e, ok := endpoints.Find(method, args[1])
	if !ok {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	name, _, isValue := strings.Cut(typed, "=")
	for _, p := range e.Params {
		switch {
		case isNested(p.Name):
		case isValue && p.Name == name:
			values := p.Values
			switch base, _, _ := strings.Cut(p.Type, " "); base {
			case "file":
				return nil, cobra.ShellCompDirectiveDefault
			case "bool":
				values = []string{"true", "false"}
			}
			for _, v := range values {
				offer(name+"="+v, firstSentence(p.Text))
			}
			return found, cobra.ShellCompDirectiveNoFileComp
		case !isValue && !slices.ContainsFunc(args[2:], func(arg string) bool { return strings.HasPrefix(arg, p.Name+"=") }):
			offer(p.Name+"=", firstSentence(p.Text))
		}
	}
	return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// firstSentence is what a completion has room for.
func firstSentence(text string) string {
	for rest := 0; ; {
		i := strings.Index(text[rest:], ". ")
		if i < 0 {
			return text
		}
		// The point of an abbreviation has a small letter behind it.
		if rest += i + len(". "); unicode.IsUpper(rune(text[rest])) {
			return text[:rest-1]
		}
	}
}
