package spec

// Nearest returns the allowed word that was probably meant, or nothing if none is near.
func Nearest(word string, allowed []string) string { return nearest(word, allowed) }
