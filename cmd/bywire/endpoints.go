package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/bywire/bywire/internal/endpoints"
)

// endpointRow is one line of the list.
type endpointRow struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Group  string `json:"group"`
}

func (a *app) endpointsCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "endpoints",
		Short: "list the endpoints of REST that there are",
		Long: `List the documented endpoints of REST: method, path, group (the service or package of the
library), whether it needs a key, and the method that calls it. -o json prints an array of
objects with method, path and group.`,
		Example: "  bywire endpoints\n  bywire endpoints -o json | jq -r '.[].path'",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			if err := checkFormat(format, formatText, formatJSON); err != nil {
				return err
			}
			all := endpoints.All()
			if format == formatJSON {
				rows := make([]endpointRow, len(all))
				for i, e := range all {
					rows[i] = endpointRow{e.Method, e.Path, e.Group}
				}
				return a.printJSON(rows)
			}
			w := a.columns()
			fmt.Fprintln(w, "METHOD\tPATH\tGROUP\tKEY\tGO")
			for _, e := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", e.Method, e.Path, e.Group, e.Auth, e.Go)
			}
			return w.Flush()
		},
	}
	outputFlag(cmd, &format, formatText, "`FORMAT`: text or json", formatText, formatJSON)
	return cmd
}
