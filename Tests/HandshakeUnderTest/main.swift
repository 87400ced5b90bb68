ShimUnderTest.main()
