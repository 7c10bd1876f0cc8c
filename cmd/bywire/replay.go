package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bywire/bywire/capture"
)

// replayOptions are the flags of replay.
type replayOptions struct {
	span
	listen, speed, start string
	metrics              string
	loop                 bool
	ackDelay             time.Duration
}

func (a *app) replayCommand() *cobra.Command {
	var opts replayOptions
	cmd := &cobra.Command{
		Use:   "replay DIR",
		Short: "serve a capture over WebSocket in the V5 protocol",
		Long: `Serve a capture as the venue would: ws://ADDR/v5/public/{channel}, with its
acknowledgements, pongs, errors and limits. It starts with the first subscription;
whoever comes later gets a snapshot first. At the end every connection is closed with
code 1000, "end of capture", and the command ends with code 0.

When connections are accepted it prints one line on stdout:

  {"event":"ready","listen":"127.0.0.1:PORT","rest":"http://...","ws":"ws://..."}

Port 0 takes a free one. --speed max is paced by the slowest subscriber.`,
		Example:           "  bywire replay rec --listen 127.0.0.1:8787\n  bywire replay rec --speed 10 --from +1h --loop",
		Args:              oneArgument("folder", "bywire replay rec"),
		ValidArgsFunction: folders,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.replay(cmd.Context(), &opts, args[0])
		},
	}
	opts.flags(cmd)
	cmd.Flags().StringVar(&opts.listen, "listen", "127.0.0.1:8787", "`ADDR` to listen on; a host of its own is needed to be reached from elsewhere")
	cmd.Flags().StringVar(&opts.speed, "speed", "1", "`N` times as fast as recorded, or max")
	cmd.Flags().StringVar(&opts.start, "start", "first", "`WHEN` to start the clock: first (subscription) or now")
	cmd.Flags().BoolVar(&opts.loop, "loop", false, "begin again at the end, for ever; a book whose recording does not begin with update id 1 has a gap there")
	cmd.Flags().DurationVar(&opts.ackDelay, "ack-delay", 3*time.Millisecond, "hold acknowledgements for this `DURATION`; 0 for none")
	metricsFlag(cmd, &opts.metrics)
	completes(cmd, "speed", "1", "2", "10", "100", "max")
	completes(cmd, "start", "first", "now")
	return cmd
}

// replayOptions translates the flags.
func (o *replayOptions) translate(r *capture.Reader) (*capture.ReplayOptions, error) {
	from, to, err := o.times(r)
	if err != nil {
		return nil, err
	}
	opts := &capture.ReplayOptions{Loop: o.loop, From: from, To: to, AckDelay: o.ackDelay}
	switch {
	case o.ackDelay < 0 || o.ackDelay > time.Minute:
		return nil, usageError("--ack-delay %s: give a duration from 0 to 1m", o.ackDelay)
	case o.ackDelay == 0:
		opts.AckDelay = -1 // the option's zero is its default
	}
	switch o.start {
	case "now":
		opts.StartNow = true
	case "first":
	default:
		return nil, usageError("--start %s: write first (subscription) or now", o.start)
	}
	if o.speed == "max" {
		opts.Max = true
		return opts, nil
	}
	speed, err := strconv.ParseFloat(strings.TrimSuffix(o.speed, "x"), 64)
	if err != nil || !(speed >= 0.001 && speed <= 1e6) {
		return nil, usageError("--speed %s: write a number such as 1 or 10, or max", o.speed)
	}
	opts.Speed = speed
	return opts, nil
}

func (a *app) replay(ctx context.Context, opts *replayOptions, dir string) error {
	r, err := openCapture(dir)
	if err != nil {
		return err
	}
	settings, err := opts.translate(r)
	if err != nil {
		return err
	}
	addr, err := localAddress("--listen", opts.listen)
	if err != nil {
		return err
	}
	m, err := a.startMeter(opts.metrics, 0, nil)
	if err != nil {
		return err
	}
	defer m.close()
	listener, err := listen("--listen", addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	player, err := capture.NewReplay(r, settings)
	if err != nil {
		if strings.Contains(err.Error(), "no public message") {
			return usageError("%s: no public message to serve between the given times; bywire capture info %s says what is there", dir, dir)
		}
		return err
	}
	m.replay(player.Stats)
	return a.serve(ctx, listener, service{
		server: &http.Server{Handler: player, ReadHeaderTimeout: 10 * time.Second},
		close:  player.Close,
		run: func(ctx context.Context, addr string) error {
			a.describe(addr, player, settings)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-player.Done():
			}
			if err := player.Err(); err != nil {
				return err
			}
			a.say("end of capture")
			return nil
		},
	})
}

// describe says what a replay serves, in words that a person can paste.
func (a *app) describe(addr string, player *capture.Replay, settings *capture.ReplayOptions) {
	topics, complete := player.Topics()
	more := ""
	if !complete {
		more = ", and perhaps more"
	}
	a.say("serving %s%s on ws://%s%s", counted(len(topics), "topic"), more, addr, pace(settings))
	for _, channel := range player.Channels() {
		var names []string
		for _, t := range topics {
			if name, ok := strings.CutPrefix(t, channel+" "); ok {
				names = append(names, name)
			}
		}
		a.say("%s: %s", channel, shortList(names, 8))
		if len(names) > 0 {
			a.say("  bywire stream --ws ws://%s --category %s %s", addr, channel, strings.Join(names[:min(len(names), 2)], " "))
		}
	}
}

// pace says how a replay goes.
func pace(o *capture.ReplayOptions) string {
	s := ""
	switch {
	case o.Max:
		s = ", as fast as the slowest subscriber"
	case o.Speed != 1:
		s = ", " + strconv.FormatFloat(o.Speed, 'g', -1, 64) + " times as fast as recorded"
	}
	if !o.StartNow {
		s += ", from the first subscription on"
	}
	return s
}

// shortList joins the first words of a list.
func shortList(list []string, n int) string {
	if len(list) <= n {
		return strings.Join(list, " ")
	}
	return strings.Join(list[:n], " ") + fmt.Sprintf(" and %d more", len(list)-n)
}

// localAddress completes what people write in a flag: a port alone is one of
// this machine.
func localAddress(flag, s string) (string, error) {
	if n, err := strconv.ParseUint(strings.TrimPrefix(s, ":"), 10, 16); err == nil {
		return "127.0.0.1:" + strconv.FormatUint(n, 10), nil
	}
	host, port, err := net.SplitHostPort(s)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return "", usageError("%s %s: no address; one looks like 127.0.0.1:8787, with port 0 for a free one", flag, s)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}

// listenError says why an address cannot be listened on, without its number.
func listenError(flag, addr string, err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	if call, ok := errors.AsType[*os.SyscallError](err); ok {
		err = call.Err
	}
	return &codeError{exitNetwork, fmt.Errorf("%s %s: %w; %[1]s 127.0.0.1:0 takes a free port", flag, addr, err)}
}
