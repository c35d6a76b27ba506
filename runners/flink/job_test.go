package flink

import (
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
)

// ended answers about a job in a state.
func ended(state State, exceptions string) map[string]string {
	return map[string]string{
		"GET /jobs/j":                             `{"jid":"j","name":"feed","state":"` + string(state) + `","start-time":1,"duration":2,"vertices":[]}`,
		"GET /jobs/j/checkpoints":                 `{}`,
		"GET /jobs/j/exceptions?maxExceptions=20": exceptions,
	}
}

func TestWaitTellsHowAJobEnded(t *testing.T) {
	tests := []struct {
		state   State
		want    error
		wantErr string
	}{
		{Finished, nil, ""},
		{Canceled, ErrJobCanceled, "job j (feed): the job was canceled"},
		{Failed, ErrJobFailed, "job j (feed), FAILED: the job failed: disk is full"},
		{Suspended, ErrJobFailed, "job j (feed), SUSPENDED: the job failed: disk is full"},
	}
	const exceptions = `{"exceptionHistory":{"entries":[{"timestamp":7,"taskName":"join","stacktrace":"java.io.IOException: disk is full\n\tat a.B.c(B.java:1)"}]}}`
	for _, tt := range tests {
		t.Run(string(tt.state), func(t *testing.T) {
			_, client := startFake(t, ended(tt.state, exceptions))
			var followed []State
			status, err := client.Wait(t.Context(), "j", func(s Status) { followed = append(followed, s.State) })
			require.ErrorIs(t, err, tt.want)
			if tt.wantErr != "" {
				require.EqualError(t, err, tt.wantErr)
			}
			assert.Equal(t, tt.state, status.State)
			assert.Equal(t, []State{tt.state}, followed)
		})
	}
}

func TestWaitEndsWhenTheJobIsUnknown(t *testing.T) {
	_, client := startFake(t, map[string]string{"GET /jobs/j": `404 {"errors":["x.Y: Could not find Flink job (j)"]}`})
	_, err := client.Wait(t.Context(), "j", nil)
	require.ErrorIs(t, err, ErrNoJob)
}

// fineFlink answers as a cluster does that has room.
func fineFlink() map[string]string {
	return map[string]string{
		"GET /overview":          `{"taskmanagers":2,"slots-total":8,"slots-available":2,"flink-version":"1.19.1"}`,
		"GET /jobmanager/config": `[{"key":"state.checkpoints.dir","value":"file:///c"}]`,
		"GET /jobs/overview":     `{"jobs":[]}`,
	}
}

func TestSubmitSaysWhatIsWrong(t *testing.T) {
	closed := freeAddress(t)
	other := grpc.NewServer() // a gRPC server, but no job server
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go other.Serve(listener) //nolint:errcheck // ended by Stop
	t.Cleanup(other.Stop)
	tests := []struct {
		name    string
		answers map[string]string
		change  func(*Options)
		want    []string
	}{
		{"bad options", nil, func(o *Options) { o.Parallelism = -1 }, []string{"options of the Flink job", "Parallelism: must be"}},
		{"Flink unreachable", nil, func(o *Options) { o.REST = closed }, []string{"flink at http://" + closed + " does not answer", "connection refused"}},
		{"other Flink", map[string]string{"GET /overview": `{"slots-available":9,"flink-version":"2.1.0"}`}, nil, []string{"is version 2.1.0", ErrVersion.Error(), "use 1.19.x"}},
		{"no slots", nil, func(o *Options) { o.Parallelism = 3 }, []string{"has 2 of 8 slots free on 2 TaskManagers, and parallelism 3 needs 3", ErrNoSlots.Error()}},
		{"runs already", map[string]string{"GET /jobs/overview": `{"jobs":[{"jid":"j1","name":"feed","state":"FINISHED"},{"jid":"j2","name":"feed","state":"RESTARTING"}]}`}, nil, []string{"has job j2, RESTARTING, of the name feed", ErrStillRuns.Error()}},
		{"others run", map[string]string{"GET /jobs/overview": `{"jobs":[{"jid":"j1","name":"feed","state":"CANCELLING"},{"jid":"j2","name":"food","state":"RUNNING"}]}`}, nil, []string{"submit feed: job server at " + closed}},
		{"nowhere to keep checkpoints", map[string]string{"GET /jobmanager/config": `[]`}, nil, []string{"has no state.checkpoints.dir", "give StoragePath"}},
		{"job server unreachable", nil, func(o *Options) { o.JobServer = closed }, []string{"submit feed: job server at " + closed + " does not answer", "8099 by default"}},
		{"no job server", nil, func(o *Options) { o.JobServer = listener.Addr().String() }, []string{"what answers at " + listener.Addr().String() + " is not Beam's job server"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answers := fineFlink()
			for request, answer := range tt.answers {
				answers[request] = answer
			}
			_, client := startFake(t, answers)
			o := Options{Name: "feed", REST: client.base, JobServer: closed}
			if tt.change != nil {
				tt.change(&o)
			}
			_, err := Submit(t.Context(), bounded("file", 1), o)
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

// TestTiedJobTakesItsName: what another submitter left of the name is canceled, before it is looked whether there are
// slots, and nothing else is.
func TestTiedJobTakesItsName(t *testing.T) {
	answers := fineFlink()
	answers["GET /jobs/overview"] = `{"jobs":[{"jid":"j1","name":"feed","state":"FINISHED"},{"jid":"j","name":"feed","state":"RESTARTING"},{"jid":"j3","name":"food","state":"RUNNING"}]}`
	answers["PATCH /jobs/j?mode=cancel"] = `{}`
	for request, answer := range ended(Canceled, `{}`) {
		answers[request] = answer
	}
	fake, client := startFake(t, answers)
	_, err := Submit(t.Context(), bounded("file", 1), Options{Name: "feed", REST: client.base, JobServer: freeAddress(t)}.Bounded())
	require.ErrorContains(t, err, "job server at")
	var canceled []string
	for _, asked := range fake.asked {
		if strings.HasPrefix(asked, "PATCH") {
			canceled = append(canceled, asked)
		}
	}
	require.Equal(t, []string{"PATCH /jobs/j?mode=cancel"}, canceled)

	answers["PATCH /jobs/j?mode=cancel"] = `500 {"errors":["no"]}`
	_, err = Submit(t.Context(), bounded("file", 1), Options{Name: "feed", REST: client.base, JobServer: freeAddress(t)}.Bounded())
	require.ErrorContains(t, err, "end what a run of feed left that was killed")
}
