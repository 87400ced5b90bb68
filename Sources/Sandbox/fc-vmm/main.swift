import VMM

Monitor.main()
