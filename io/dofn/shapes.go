package dofn

import "reflect"

// A function for each shape that the DoFns here have. Another one is written like these.

// Method0x0 is a method with no parameters and no result.
func Method0x0[T any](f func(*T)) Method {
	return newMethod(f, reflect.TypeFor[func()](), func(fn *T) call {
		return func(_ []any) []any { f(fn); return nil }
	})
}

// Method0x1 is a method with no parameters and a result.
func Method0x1[T, R any](f func(*T) R) Method {
	return newMethod(f, reflect.TypeFor[func() R](), func(fn *T) call {
		return func(_ []any) []any { return []any{f(fn)} }
	})
}

// Method1x0 is a method with one parameter and no result.
func Method1x0[T, A any](f func(*T, A)) Method {
	return newMethod(f, reflect.TypeFor[func(A)](), func(fn *T) call {
		return func(a []any) []any { f(fn, a[0].(A)); return nil }
	})
}

// Method1x1 is a method with one parameter and a result.
func Method1x1[T, A, R any](f func(*T, A) R) Method {
	return newMethod(f, reflect.TypeFor[func(A) R](), func(fn *T) call {
		return func(a []any) []any { return []any{f(fn, a[0].(A))} }
	})
}

// Method2x0 is a method with two parameters and no result.
func Method2x0[T, A, B any](f func(*T, A, B)) Method {
	return newMethod(f, reflect.TypeFor[func(A, B)](), func(fn *T) call {
		return func(a []any) []any { f(fn, a[0].(A), a[1].(B)); return nil }
	})
}

// Method2x1 is a method with two parameters and a result.
func Method2x1[T, A, B, R any](f func(*T, A, B) R) Method {
	return newMethod(f, reflect.TypeFor[func(A, B) R](), func(fn *T) call {
		return func(a []any) []any { return []any{f(fn, a[0].(A), a[1].(B))} }
	})
}

// Method2x2 is a method with two parameters and two results.
func Method2x2[T, A, B, R, S any](f func(*T, A, B) (R, S)) Method {
	return newMethod(f, reflect.TypeFor[func(A, B) (R, S)](), func(fn *T) call {
		return func(a []any) []any { r, s := f(fn, a[0].(A), a[1].(B)); return []any{r, s} }
	})
}

// Method3x0 is a method with three parameters and no result.
func Method3x0[T, A, B, C any](f func(*T, A, B, C)) Method {
	return newMethod(f, reflect.TypeFor[func(A, B, C)](), func(fn *T) call {
		return func(a []any) []any { f(fn, a[0].(A), a[1].(B), a[2].(C)); return nil }
	})
}

// Method3x1 is a method with three parameters and a result.
func Method3x1[T, A, B, C, R any](f func(*T, A, B, C) R) Method {
	return newMethod(f, reflect.TypeFor[func(A, B, C) R](), func(fn *T) call {
		return func(a []any) []any { return []any{f(fn, a[0].(A), a[1].(B), a[2].(C))} }
	})
}

// Method4x0 is a method with four parameters and no result.
func Method4x0[T, A, B, C, D any](f func(*T, A, B, C, D)) Method {
	return newMethod(f, reflect.TypeFor[func(A, B, C, D)](), func(fn *T) call {
		return func(a []any) []any { f(fn, a[0].(A), a[1].(B), a[2].(C), a[3].(D)); return nil }
	})
}

// Method4x1 is a method with four parameters and a result.
func Method4x1[T, A, B, C, D, R any](f func(*T, A, B, C, D) R) Method {
	return newMethod(f, reflect.TypeFor[func(A, B, C, D) R](), func(fn *T) call {
		return func(a []any) []any { return []any{f(fn, a[0].(A), a[1].(B), a[2].(C), a[3].(D))} }
	})
}

// Method5x0 is a method with five parameters and no result.
func Method5x0[T, A, B, C, D, E any](f func(*T, A, B, C, D, E)) Method {
	return newMethod(f, reflect.TypeFor[func(A, B, C, D, E)](), func(fn *T) call {
		return func(a []any) []any { f(fn, a[0].(A), a[1].(B), a[2].(C), a[3].(D), a[4].(E)); return nil }
	})
}

// Method5x1 is a method with five parameters and a result.
func Method5x1[T, A, B, C, D, E, R any](f func(*T, A, B, C, D, E) R) Method {
	return newMethod(f, reflect.TypeFor[func(A, B, C, D, E) R](), func(fn *T) call {
		return func(a []any) []any { return []any{f(fn, a[0].(A), a[1].(B), a[2].(C), a[3].(D), a[4].(E))} }
	})
}

// Method6x1 is a method with six parameters and a result.
func Method6x1[T, A, B, C, D, E, F, R any](f func(*T, A, B, C, D, E, F) R) Method {
	return newMethod(f, reflect.TypeFor[func(A, B, C, D, E, F) R](), func(fn *T) call {
		return func(a []any) []any { return []any{f(fn, a[0].(A), a[1].(B), a[2].(C), a[3].(D), a[4].(E), a[5].(F))} }
	})
}

// Method6x2 is a method with six parameters and two results.
func Method6x2[T, A, B, C, D, E, F, R, S any](f func(*T, A, B, C, D, E, F) (R, S)) Method {
	return newMethod(f, reflect.TypeFor[func(A, B, C, D, E, F) (R, S)](), func(fn *T) call {
		return func(a []any) []any {
			r, s := f(fn, a[0].(A), a[1].(B), a[2].(C), a[3].(D), a[4].(E), a[5].(F))
			return []any{r, s}
		}
	})
}

// Method7x1 is a method with seven parameters and a result.
func Method7x1[T, A, B, C, D, E, F, G, R any](f func(*T, A, B, C, D, E, F, G) R) Method {
	return newMethod(f, reflect.TypeFor[func(A, B, C, D, E, F, G) R](), func(fn *T) call {
		return func(a []any) []any {
			return []any{f(fn, a[0].(A), a[1].(B), a[2].(C), a[3].(D), a[4].(E), a[5].(F), a[6].(G))}
		}
	})
}
