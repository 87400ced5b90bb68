import ProcessProxy

ProcessProxy.main()
