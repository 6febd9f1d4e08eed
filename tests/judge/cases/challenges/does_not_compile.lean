theorem some (n : Nat) : n = true + := sorry
