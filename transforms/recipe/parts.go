package recipe

const elkan = "Elkan, Noto: Learning classifiers from only positive and unlabeled data. KDD 2008"

// Parts weighs a sample whose label is a part of a positive, as that of a kind with credit even is: it counts for the part as a positive, and for
// the rest as a negative. It takes one sample of each view, the final one.
//
// With a label y from 0 to 1 the loss is cross entropy with the target y, and the expected gradient by the logit, f E[w] - E[w y] with the weight w,
// is 0 at f = E[w y]/E[w]. The weight of a sample without any part is 1/keep, and it is there with probability keep; all others are there, and
// weigh 1, whatever their part is: so E[w] is 1, and f the expected part. Over the views that share an engagement the parts sum to 1,
// and so do the positive weights of their samples.
//
// The field weight cannot be the part: a positive of weight y without its rest says that views like this one are positive for certain, only that
// they are fewer.
func Parts(s Sample) Weights {
	return Weights{Positive: s.Part, Negative: 1 - s.Part}.times(s.Weight)
}
