package decimal_test

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/bywire/bywire/decimal"
)

// The scale is kept, and nothing is rounded on the way in.
func ExampleParse() {
	price, err := decimal.Parse([]byte("109378.80"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(price, price.Scale())

	_, err = decimal.Parse("12,5")
	fmt.Println(err)
	_, err = decimal.Parse("0.00000000000000000000000000001")
	fmt.Println(errors.Is(err, decimal.ErrRange))
	// Output:
	// 109378.80 2
	// decimal.parse "12,5": not a decimal number
	// true
}

// Cmp compares numbers, == compares their representation.
func ExampleDecimal_Cmp() {
	a, b := decimal.MustParse("1.5"), decimal.MustParse("1.50")
	fmt.Println(a.Cmp(b), a == b)
	fmt.Println(a.Cmp(decimal.MustParse("2")))
	// Output:
	// 0 false
	// -1
}

// An order's price has to be a multiple of the tick size.
func ExampleDecimal_Quantize() {
	price, tick := decimal.MustParse("109378.87"), decimal.MustParse("0.10")
	fmt.Println(price.IsMultipleOf(tick))
	buy, err := price.Quantize(tick, decimal.Floor)
	fmt.Println(buy, err)
	sell, err := price.Quantize(tick, decimal.Ceil)
	fmt.Println(sell, err)
	// Output:
	// false
	// 109378.80 <nil>
	// 109378.90 <nil>
}

// A division states how many digits it wants, and how to round the rest.
func ExampleDecimal_Quo() {
	value, size := decimal.MustParse("250.00"), decimal.MustParse("0.003")
	average, err := value.Quo(size, 2, decimal.HalfEven)
	fmt.Println(average, err)
	// Output:
	// 83333.33 <nil>
}

// An order book keeps prices as whole numbers of its finest unit.
func ExampleDecimal_Units() {
	price := decimal.MustParse("109378.80")
	units, exact := price.Units(1)
	fmt.Println(units, exact)
	fmt.Println(decimal.FromUnits(units, 1))
	// Output:
	// 1093788 true
	// 109378.8
}

// The venue writes numbers as strings, and "" where there is none.
func ExampleDecimal_IsSet() {
	var order struct {
		Price        decimal.Decimal `json:"price"`
		TriggerPrice decimal.Decimal `json:"triggerPrice"`
	}
	if err := json.Unmarshal([]byte(`{"price":"0","triggerPrice":""}`), &order); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(order.Price.IsSet(), order.TriggerPrice.IsSet())
	// Output:
	// true false
}

// A Text holds what is too long for a Decimal.
func ExampleText() {
	rate, err := decimal.ParseText("7252396.1234567890123456789012345678901")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = rate.Decimal()
	fmt.Println(rate.Cmp("7252396.1"), errors.Is(err, decimal.ErrRange))
	// Output:
	// 1 true
}
