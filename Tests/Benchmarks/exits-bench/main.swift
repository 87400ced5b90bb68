ExitsBench.main()
