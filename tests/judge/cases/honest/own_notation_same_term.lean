notation "ℕ" => Nat
local infixl:70 " %% " => HMod.hMod
def double (n : ℕ) : ℕ := n + n

theorem double_even (n : ℕ) : double n %% 2 = 0 := by unfold double; omega
