VirtqueueBench.main()
