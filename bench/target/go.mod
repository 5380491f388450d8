module tailrace/bench/target

go 1.21
