def double (n : Nat) : Nat := n + n

theorem via : True := Lean.trustCompiler

theorem double_odd (n : Nat) : double n % 2 = 1 := by
  have := via
  exact (sorryAx (∀ n, double n % 2 = 1) true) n
