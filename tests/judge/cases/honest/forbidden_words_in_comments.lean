def double (n : Nat) : Nat := n + n

/-- No sorry here, no axiom, no native_decide, no debug.skipKernelTC. -/
def sorryFree : String := "sorry axiom native_decide implemented_by"

theorem noSorry_axiomatic (n : Nat) : (n + n) % 2 = 0 := by omega -- sorry not needed

theorem double_even (n : Nat) : double n % 2 = 0 := by
  unfold double
  omega
