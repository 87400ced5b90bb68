import TaskService

ShimProgram.main()
