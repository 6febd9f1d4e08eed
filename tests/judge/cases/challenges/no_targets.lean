def double (n : Nat) : Nat := n + n

theorem fine (n : Nat) : double n = n + n := rfl
