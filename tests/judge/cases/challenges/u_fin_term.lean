theorem t : (⟨2, sorry⟩ : Fin 3).val = 2 := sorry
