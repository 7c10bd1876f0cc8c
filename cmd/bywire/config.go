package main

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// configured gives flags the values of a TOML file, unless the command line has said them. The keys are the flags' names;
// a flag that may be repeated takes a list.
func configured(cmd *cobra.Command, name string) error {
	if name == "" {
		return nil
	}
	var values map[string]any
	if _, err := toml.DecodeFile(name, &values); err != nil {
		if file, ok := errors.AsType[*fs.PathError](err); ok {
			return usageError("--config %s: %w", name, file.Err)
		}
		if parse, ok := errors.AsType[toml.ParseError](err); ok {
			return usageError("--config %s: line %d: %s", name, parse.Position.Line, parse.Message)
		}
		return usageError("--config %s: %s", name, strings.TrimPrefix(err.Error(), "toml: "))
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name != "config" && f.Name != "help" {
			names = append(names, f.Name)
		}
	})
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(names, key) {
			if near := nearest(key, names); near != "" {
				return usageError("--config %s: %s: no such flag; meant %s?", name, key, near)
			}
			return usageError("--config %s: %s: no such flag; there are %s", name, key, strings.Join(names, ", "))
		}
		f := cmd.Flags().Lookup(key)
		if f.Changed {
			continue
		}
		texts, err := flagTexts(f, values[key])
		for i := 0; err == nil && i < len(texts); i++ {
			err = cmd.Flags().Set(key, texts[i])
		}
		if err != nil {
			_, usage := pflag.UnquoteUsage(f)
			return usageError("--config %s: %s: %s", name, key, usage)
		}
	}
	return nil
}

// errValue is a value that is not of a flag's type.
var errValue = errors.New("a value of another type")

// flagTexts writes a value of TOML as it would stand on the command line: a list is a flag that is repeated.
func flagTexts(f *pflag.Flag, value any) ([]string, error) {
	list, ok := value.([]any)
	if !ok {
		text, err := flagText(value)
		return []string{text}, err
	}
	if f.Value.Type() != "stringArray" {
		return nil, errValue
	}
	var texts []string
	for _, v := range list {
		text, err := flagText(v)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, nil
}

func flagText(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case time.Time:
		if strings.HasSuffix(v.Location().String(), "-local") { // written without a zone: the flag says what that means
			return v.Format("2006-01-02T15:04:05.999999999"), nil
		}
		return v.Format(time.RFC3339Nano), nil
	}
	return "", errValue
}
