from sync.main import main

main()
