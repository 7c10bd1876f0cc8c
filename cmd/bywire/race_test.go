//go:build race

package main

// slowdown is how many times as long as the product promises things may take.
const slowdown = 10
