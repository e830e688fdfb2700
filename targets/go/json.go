package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"unicode/utf8"
)

// deepest is how deep JSON may nest; nothing that is read here needs more.
const deepest = 16

// parseObject reads one JSON object, strictly.
//
// json.Unmarshal into a struct would be wrong for signed claims: it takes "EKM" for "ekm", the last of two members with
// one name, and any octets for text. Each of these lets two readers of one token disagree (RFC 8725 §2.4, §3.7).
func parseObject(text []byte) (map[string]any, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("not UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	value, err := parseValue(decoder, 0)
	if err != nil {
		return nil, errors.New("not acceptable as JSON")
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("something after the JSON value")
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("not a JSON object")
	}
	return object, nil
}

func parseValue(decoder *json.Decoder, depth int) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	opening, nested := token.(json.Delim)
	if !nested {
		return token, nil
	}
	if depth == deepest {
		return nil, errors.New("nested too deep")
	}
	object, array := map[string]any{}, []any{}
	for decoder.More() {
		name := ""
		if opening == '{' {
			token, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			name = token.(string) // the decoder lets nothing else stand here
			if _, twice := object[name]; twice {
				return nil, fmt.Errorf("member %q twice", name)
			}
		}
		value, err := parseValue(decoder, depth+1)
		if err != nil {
			return nil, err
		}
		object[name], array = value, append(array, value)
	}
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	if opening == '{' {
		return object, nil
	}
	return array, nil
}

// numericDate reads a NumericDate (RFC 7519 §2), which may have a fraction.
func numericDate(value any) (seconds float64, ok bool) {
	number, ok := value.(json.Number)
	if !ok {
		return 0, false
	}
	seconds, err := number.Float64()
	return seconds, err == nil && !math.IsInf(seconds, 0)
}

// nonEmpty is the text that a member is, and false where it is something else, or empty.
func nonEmpty(value any) (string, bool) {
	text, ok := value.(string)
	return text, ok && text != ""
}
