// Built by the tests only: Heroku's own code as a peer of the drain.
module peers

go 1.24.0

require github.com/heroku/x v0.5.3

require github.com/pkg/errors v0.9.1 // indirect
