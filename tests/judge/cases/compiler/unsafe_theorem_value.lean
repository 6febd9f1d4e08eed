def double (n : Nat) : Nat := n + n
unsafe def lie (n : Nat) : PLift ((n + n) % 2 = 1) := lie n
@[implemented_by lie] opaque lie' (n : Nat) : Option (PLift ((n + n) % 2 = 1))
theorem double_odd (n : Nat) : double n % 2 = 1 := (lie n).down
