from patients.main import main

main()
