def double (n : Nat) : Nat := n + n

set_option debug.skipKernelTC true in
theorem lie : (0 : Nat) = 1 := by decide +kernel

theorem double_odd (n : Nat) : double n % 2 = 1 := by
  cases lie
