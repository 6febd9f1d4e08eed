theorem t : (⟨2, by sorry⟩ : Fin 3).val = 2 := sorry
