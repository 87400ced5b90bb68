VsockBench.main()
