opaque secret : Nat := sorry

theorem s : secret = secret := sorry
