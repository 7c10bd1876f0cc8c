package codecs_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/internal/codecs"
)

// TestOptionalFieldsOfOrders sets each optional field of what changes orders and positions to
// nothing, to zero and to a value: nothing is not sent, the others are, and both come back
// as they were.
func TestOptionalFieldsOfOrders(t *testing.T) {
	for _, p := range []codecs.Codec{
		new(bybit.OrderPlaceParams), new(bybit.OrderAmendParams), new(bybit.PositionSetTradingStopParams),
		new(bybit.OrderPlaceBatchParams), new(bybit.OrderAmendBatchParams),
	} {
		v := reflect.ValueOf(p).Elem()
		name := v.Type().Name()
		if list := v.FieldByName("Orders"); list.IsValid() && list.Kind() == reflect.Slice {
			list.Set(reflect.MakeSlice(list.Type(), 1, 1))
			v = list.Index(0)
			name += ".Orders[]"
		}
		n := 0
		for i := range v.NumField() {
			if isEnum(v.Field(i).Type()) {
				if optionalEnum(t, p, v.Field(i), name+"."+v.Type().Field(i).Name) {
					n++
				}
				continue
			}
			if !strings.HasPrefix(v.Field(i).Type().Name(), "Opt[") {
				continue
			}
			n++
			field, opt := name+"."+v.Type().Field(i).Name, v.Field(i)
			without := members(t, p)
			for _, want := range []struct {
				name  string
				value reflect.Value
			}{{"zero", zeroOf(opt)}, {"value", valueOf(opt)}} {
				opt.Addr().MethodByName("Set").Call([]reflect.Value{want.value})
				with := members(t, p)
				var more []string
				for key := range with {
					if _, before := without[key]; !before {
						more = append(more, key)
					}
				}
				if len(more) != 1 || len(with) != len(without)+1 || string(with[more[0]]) == "null" {
					t.Errorf("%s, %s: %q more is sent, of %q", field, want.name, more, slices.Sorted(maps.Keys(with)))
				}
				back := reflect.New(reflect.TypeOf(p).Elem())
				if err := back.Interface().(codecs.Codec).Decode(p.AppendJSON(nil)); err != nil {
					t.Errorf("%s, %s: %v", field, want.name, err)
				} else if !reflect.DeepEqual(back.Interface(), any(p)) {
					t.Errorf("%s, %s: comes back as another: %+v", field, want.name, back.Elem())
				}
				opt.SetZero()
			}
		}
		if n < 9 {
			t.Errorf("%s has %d optional fields, there are more", name, n)
		}
	}
}

func isEnum(t reflect.Type) bool { return t.Kind() == reflect.String && t.PkgPath() != "" }

// optionalEnum sets a field with constants of text. It returns false if the field is sent
// without a value as well: it is required.
func optionalEnum(t *testing.T, p codecs.Codec, f reflect.Value, name string) bool {
	without := members(t, p)
	f.SetString("x")
	defer f.SetZero()
	with := members(t, p)
	back := reflect.New(reflect.TypeOf(p).Elem())
	if err := back.Interface().(codecs.Codec).Decode(p.AppendJSON(nil)); err != nil {
		t.Errorf("%s: %v", name, err)
	} else if !reflect.DeepEqual(back.Interface(), any(p)) {
		t.Errorf("%s: comes back as another: %+v", name, back.Elem())
	}
	return len(with) == len(without)+1
}

// members is what is sent: of a batch, the first item.
func members(t *testing.T, p codecs.Codec) map[string]json.RawMessage {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(p.AppendJSON(nil), &m); err != nil {
		t.Fatal(err)
	}
	if m["request"] != nil {
		var items []map[string]json.RawMessage
		if err := json.Unmarshal(m["request"], &items); err != nil {
			t.Fatal(err)
		}
		return items[0]
	}
	return m
}

// zeroOf is a zero that an optional field can be set to: of a decimal "0", since its zero value
// is absent.
func zeroOf(opt reflect.Value) reflect.Value {
	switch typ := opt.Addr().MethodByName("Set").Type().In(0); typ {
	case reflect.TypeFor[decimal.Decimal]():
		return reflect.ValueOf(decimal.FromInt(0))
	case reflect.TypeFor[time.Time]():
		return reflect.ValueOf(time.UnixMilli(0).UTC())
	default:
		return reflect.Zero(typ)
	}
}

func valueOf(opt reflect.Value) reflect.Value {
	typ := opt.Addr().MethodByName("Set").Type().In(0)
	v := reflect.New(typ).Elem()
	switch {
	case typ == reflect.TypeFor[decimal.Decimal]():
		return reflect.ValueOf(decimal.MustParse("1.50"))
	case typ == reflect.TypeFor[time.Time]():
		return reflect.ValueOf(time.UnixMilli(1700000000123).UTC())
	case typ.Kind() == reflect.String:
		v.SetString("x")
	case typ.Kind() == reflect.Int64 || typ.Kind() == reflect.Int:
		v.SetInt(1)
	case typ.Kind() == reflect.Bool:
		v.SetBool(true)
	}
	return v
}
