package spec

// InputPaths are the patterns of all inputs that are files.
func (s *Spec) InputPaths() (all []string) {
	add := func(inputs []Input) {
		for _, in := range inputs {
			if in.Path != "" && !in.IsStdin() {
				all = append(all, in.Path)
			}
		}
	}
	add(s.Views.Inputs)
	for _, e := range s.Engagements {
		add(e.Inputs)
	}
	return all
}
